export const texts = {
  en: { title: "Services" },
  es: { title: "Servicios" },
};
