import 'reflect-metadata';
import { expect, test } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { TransfersController } from '../../../../apps/peer/src/control/transfers.controller.ts';
import { RecordedTransfers } from './recorded-ports.ts';

test('who looks at transfers, or at one, has their copies counted', () => {
  const transfers = new RecordedTransfers();
  transfers.views.push({ transferId: 'x' } as TransferView);
  const controller = new TransfersController(transfers);
  expect([controller.list({}).items, transfers.looks]).toEqual([transfers.views, 1]);
  expect([controller.find('x'), transfers.looks]).toEqual([transfers.views[0], 2]);
});
