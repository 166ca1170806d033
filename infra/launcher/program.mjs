// Owns which program answers to the first word: the tracker with its keys, operators and settings, the peer, or the command line
// that talks to a running peer.

const TRACKER_WORDS = new Set(['tracker', 'fingerprint', 'keys', 'operator', 'audit', 'audit-keys', 'log', 'config']);

/** Path of the program's file below the root, for the words behind `cohort`. */
export function programOf(words) {
  // Every program tells of its own words: `help tracker` is for who answers to `tracker`.
  const word = words[0] === 'help' ? words[1] : words[0];
  if (TRACKER_WORDS.has(word)) return 'dist/programs/tracker.js';
  if (word === 'peer') return 'dist/programs/peer.js';
  return 'dist/programs/cli.js';
}
