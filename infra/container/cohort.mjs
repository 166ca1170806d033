#!/usr/local/bin/node
// Owns `cohort` in the image, where nothing but Node can be asked to find Node.
await import('../launcher/cohort.mjs');
