import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../cadencia/web/static",
    emptyOutDir: true,
    target: "es2022",
    // The pages' content security policy allows no inline scripts and no data: addresses.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
});
