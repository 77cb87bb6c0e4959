export const texts = {
  en: { title: "Manifests" },
  es: { title: "Manifiestos" },
};
