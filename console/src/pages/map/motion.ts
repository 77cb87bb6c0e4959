/** Whether anything may move: not for who asked for calm, and not where nobody looks. */
const calm = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-reduced-motion: reduce)");

export const still = (): boolean => document.hidden || (calm?.matches ?? false);
