// Owns `npm run demo`: finds the right Node, then hands over to demo.ts.
import { runOnNode } from '../launcher/run-on-node.mjs';

await runOnNode(import.meta.url, async (words) => (await import('./demo.ts')).demo(words));
