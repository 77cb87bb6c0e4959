export const texts = {
  en: { title: "Logs" },
  es: { title: "Registros" },
};
