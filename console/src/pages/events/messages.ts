export const texts = {
  en: { title: "Events" },
  es: { title: "Eventos" },
};
