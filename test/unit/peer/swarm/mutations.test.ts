// The short form of `npm run soak:mutations`.
import { expect, it } from 'vitest';
import { seeded } from '../../../seeded-random.ts';
import { mutateTransfers } from '../../../soak/mutated-transfers.ts';
import { newFolder } from './engine-harness.ts';

const TRIALS = 200;
const SEED = 3;

it(
  `one wrong byte, on disk or on the wire, is in no finished file after ${TRIALS} trials`,
  { timeout: 120_000 },
  async () => {
    const { onDisk, onWire, named } = await mutateTransfers({
      scratch: newFolder(),
      trials: TRIALS,
      random: seeded(SEED),
    });
    expect(onDisk + onWire).toBeGreaterThanOrEqual(TRIALS);
    // Each wrong byte on disk is asked for before there is anybody else, and found out.
    expect(named).toBeGreaterThanOrEqual(onDisk);
  },
);
