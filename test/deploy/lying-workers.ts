// Owns that a peer lies to others and not to whoever uses it: only its workers, which serve pieces, are spoiled. Loaded ahead of a peer.
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) await import('../bench/faulty-serving.ts');
