// Owns `npm start`: finds the right Node, then hands over to quick-start.ts.
import { runOnNode } from '../launcher/run-on-node.mjs';

await runOnNode(import.meta.url, async (words) => (await import('./quick-start.ts')).quickStart(words));
