import { describe, expect, test } from 'vitest';
import { BatchHandover } from '../../../../apps/tracker/src/command-log/batch-handover.ts';

describe('a hand-over of batches', () => {
  test('an offer is held until its batch is taken', async () => {
    const handover = new BatchHandover<string>();
    const events: string[] = [];
    const offered = handover.offer('a').then(() => events.push('offer done'));
    await Promise.resolve();
    events.push('before take');
    expect(await handover.take()).toBe('a');
    await offered;
    expect(events).toEqual(['before take', 'offer done']);
  });

  test('a reader that waits gets the next offer', async () => {
    const handover = new BatchHandover<string>();
    const taking = handover.take();
    await handover.offer('a');
    expect(await taking).toBe('a');
  });

  test('a failure comes after the batches before it, and the first one stays', async () => {
    const handover = new BatchHandover<string>();
    const offered = handover.offer('a');
    handover.fail(new Error('first'));
    handover.fail(new Error('second'));
    expect(await handover.take()).toBe('a');
    await offered;
    await expect(handover.take()).rejects.toThrow('first');
  });

  test('a failure wakes a reader that waits', async () => {
    const handover = new BatchHandover<string>();
    const taking = handover.take();
    handover.fail(new Error('gone'));
    await expect(taking).rejects.toThrow('gone');
  });

  test('its end lets go of offers and readers, and what comes later is not kept', async () => {
    const handover = new BatchHandover<string>();
    const offered = handover.offer('a');
    handover.end();
    await offered;
    await handover.offer('b');
    expect(await handover.take()).toBeNull();
  });

  test('its end wakes a reader that waits', async () => {
    const handover = new BatchHandover<string>();
    const taking = handover.take();
    handover.end();
    expect(await taking).toBeNull();
  });
});
