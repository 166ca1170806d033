import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { exchangePlatform } from './simulated-platform.ts';
import { SimulatedProcess, SimulatedWorld } from './simulated-world.ts';

const DAY_MS = 86_400_000;

exchangePlatform();
let world: SimulatedWorld;
let process: SimulatedProcess;
let seen: unknown[];

beforeEach(() => {
  world = new SimulatedWorld(1);
  process = new SimulatedProcess(world, 'program');
  seen = [];
});

/** Runs a program to its end, in simulated time. */
async function run(program: () => Promise<void>, { untilMs = Infinity } = {}): Promise<void> {
  let isOver = false;
  world.at(process, 0, () => void program().then(() => (isOver = true)));
  if (Number.isFinite(untilMs)) world.at(null, untilMs, () => (isOver = true));
  await world.run(() => isOver);
  expect(world.violation).toBeNull();
}

describe('a simulated program', () => {
  it('sleeps for a day in no time, and its clocks have gone on by a day', async () => {
    const realMs = performance.now();
    await run(async () => {
      const [wallMs, monotonicMs] = [Date.now(), performance.now()];
      await sleep(DAY_MS);
      seen.push(Date.now() - wallMs, performance.now() - monotonicMs);
    });
    expect(seen[0]).toBe(DAY_MS);
    expect(Math.abs((seen[1] as number) - DAY_MS)).toBeLessThan(10);
    expect(performance.now() - realMs).toBeLessThan(DAY_MS / 1_000);
  });

  it('has its timers in their order, and those of one moment in the order of their setting', async () => {
    await run(async () => {
      setTimeout(() => seen.push('late'), 20);
      const never = setTimeout(() => seen.push('never'), 5);
      const often = setInterval(() => seen.push('often'), 8);
      setTimeout(() => seen.push('first'), 10);
      setTimeout((word: string) => seen.push(word), 10, 'second');
      setImmediate(() => seen.push('now'));
      clearTimeout(never);
      for (let count = 0; count < 1_000; count++) clearTimeout(setTimeout(() => seen.push('never'), 9));
      await sleep(22);
      clearInterval(often);
      await sleep(50);
    });
    expect(seen).toEqual(['now', 'often', 'first', 'second', 'often', 'late']);
  });

  it('has the same chance and ids in every run of a seed', async () => {
    const draw = async (): Promise<void> => {
      seen.push([Math.random(), randomUUID()]);
      await nextTurn();
    };
    await run(draw);
    world = new SimulatedWorld(1);
    process = new SimulatedProcess(world, 'program');
    await run(draw);
    expect(seen[0]).toEqual(seen[1]);
  });

  it('has files of its own world', async () => {
    await run(async () => {
      await writeFile('/a.new', 'text');
      await rename('/a.new', '/a');
      seen.push(await readFile('/a', 'utf8'));
      await readFile('/b', 'utf8').catch((error: NodeJS.ErrnoException) => seen.push(error.code));
    });
    expect(seen).toEqual(['text', 'ENOENT']);
    await expect(readFile('/a', 'utf8')).rejects.toThrow('ENOENT');
  });

  it('has signatures that fit one key and one message alone', async () => {
    const [one, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    const message = Buffer.from('message');
    await run(() => {
      const signature = sign(null, message, one.privateKey);
      seen.push(signature.length, verify(null, message, one.publicKey, signature));
      seen.push(verify(null, message, other.publicKey, signature));
      seen.push(verify(null, Buffer.from('another'), one.publicKey, signature));
      return Promise.resolve();
    });
    expect(seen).toEqual([64, true, false, false]);
    expect(verify(null, message, one.publicKey, sign(null, message, one.privateKey))).toBe(true);
  });

  it('is told of an abort in its sleep', async () => {
    await run(async () => {
      await sleep(5, undefined, { signal: new AbortController().signal });
      const aborting = new AbortController();
      setTimeout(() => aborting.abort(), 10);
      await sleep(DAY_MS, undefined, { signal: aborting.signal }).catch((error: Error) => seen.push(error.name));
      seen.push(world.elapsedMs);
    });
    expect(seen).toEqual(['AbortError', 15]);
  });

  it('does nothing more once it is killed', async () => {
    world.at(null, 25, () => process.kill());
    const tick = async (): Promise<void> => {
      for (;;) {
        await sleep(10);
        seen.push(world.elapsedMs);
      }
    };
    await run(tick, { untilMs: 100 });
    expect(seen).toEqual([10, 20]);
  });

  it('stands still while it is paused, and then does what has come meanwhile', async () => {
    world.at(null, 5, () => process.pause());
    world.at(null, 50, () => process.resume());
    await run(async () => {
      setTimeout(() => seen.push(world.elapsedMs), 20);
      await sleep(10);
      seen.push(world.elapsedMs);
      await sleep(10);
      seen.push(world.elapsedMs);
    });
    expect(seen).toEqual([50, 50, 60]);
  });

  it('that throws ends the simulation', async () => {
    world.at(process, 0, () => {
      throw new Error('a bug');
    });
    await world.run(() => false);
    expect(world.violation?.message).toContain('a bug');
  });
});

it('a simulation in which nothing is left to happen is not over', async () => {
  await world.run(() => false);
  expect(world.violation?.message).toContain('nothing is left');
});
