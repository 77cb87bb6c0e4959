export const texts = {
  en: { title: "Requests" },
  es: { title: "Peticiones" },
};
