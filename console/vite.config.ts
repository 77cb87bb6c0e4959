import { defineConfig } from "vitest/config";

/** Where a knlite runs whose objects the page shows while it is developed (`npm run dev`). */
const admin = process.env["KNLITE_ADMIN"] ?? "http://127.0.0.1:8081";

/** The server takes the page of the development server for one of another site, which it is: what
 * passes through it is asked as a program asks. */
const proxied = {
  target: admin,
  headers: { host: new URL(admin).host },
  configure: (proxy: { on(event: "proxyReq", listener: (request: { removeHeader(name: string): void }) => void): void }) => {
    proxy.on("proxyReq", (request) => {
      for (const name of ["origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"]) request.removeHeader(name);
    });
  },
};

export default defineConfig({
  base: "/console/",
  build: {
    outDir: "../knlite/console/static",
    emptyOutDir: true,
    target: "es2022",
    // The server's policy allows no data in scripts and styles, and small files cost nothing here.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { "/knlite": proxied, "/api": proxied, "/apis": proxied, "/version": proxied } },
  test: { include: ["src/**/*.test.ts", "lint/**/*.test.ts"] },
});
