export const texts = {
  en: { title: "Map" },
  es: { title: "Mapa" },
};
