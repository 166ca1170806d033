// Owns how the page is built: one script, one style sheet and an icon under names that hold their digests, into `dist/web`, from where the
// peer serves them. Nothing in it comes from elsewhere, and nothing stands in the text of the page that its policy would not let run.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: false,
  cacheDir: fileURLToPath(new URL('../../../node_modules/.vite', import.meta.url)),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../../../dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
