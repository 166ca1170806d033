// Owns a small tree that breaks every import rule, each in a file of its own, beside files that break none. A rule that
// stops biting, after a change of its patterns or of the resolver, is missed by the test that looks at this tree.

/** Files of a healthy tree: what they import is allowed, and rules must leave them alone. */
export const HEALTHY_FILES: Readonly<Record<string, string>> = {
  'libs/domain/src/sum.ts': `export const sum = (a: number, b: number): number => a + b;`,
  'libs/domain/src/total.ts': `import { sum } from './sum.ts';\nexport const total = sum(1, 2);`,
  'libs/wire/src/body.ts': `import { IsString } from 'class-validator';
import { Type } from 'class-transformer';
import { sum } from '#domain/sum';
export const body = [IsString, Type, sum];`,
  'libs/wire/src/frame.ts': `import { sum } from '#domain/sum';\nexport const frame = sum;`,
  'libs/identity/src/key.ts': `import { createHash } from 'node:crypto';
import { frame } from '#wire/frame';
export const key = [createHash, frame];
export const certificate = (): Promise<unknown> => import('@peculiar/x509');`,
  'libs/identity/src/data-dir-lock.ts': `import { DatabaseSync } from 'node:sqlite';\nexport const lock = DatabaseSync;`,
  'libs/program/src/settings.ts': `import { Option } from 'commander';
import { key } from '#identity/key';
export const settings = [Option, key];`,
  'libs/program/src/open-process-log.ts': `import { pino } from 'pino';\nexport const log = pino;`,
  'apps/tracker/src/main.ts': `import { control } from './control/control.ts';
import { log } from './command-log/command-log.ts';
export const main = [control, log];`,
  'apps/tracker/src/control/control.ts': `import { Injectable } from '@nestjs/common';
import { connect } from 'node:tls';
import { log } from '../command-log/command-log.ts';
export const control = [Injectable, connect, log];`,
  'apps/tracker/src/command-log/command-log.ts': `export const log = 1;`,
  'apps/tracker/src/command-log/kafka-command-log.ts': `import { Kafka } from 'kafkajs';\nexport const kafka = Kafka;`,
  'apps/tracker/src/command-log/sqlite-log-worker.ts': `import { DatabaseSync } from 'node:sqlite';
export const database = DatabaseSync;`,
  'apps/peer/src/swarm/transfer-engine.ts': `import type { Lane } from '../data-plane/lane.ts';
import { pool } from '../data-plane/worker-pool.ts';
export const engine = (lane: Lane): unknown[] => [lane, pool];`,
  'apps/peer/src/data-plane/worker-pool.ts': `import { Piscina } from 'piscina';\nexport const pool = Piscina;`,
  'apps/peer/src/data-plane/lane.ts': `import { connect } from 'node:tls';
import { frame } from '#wire/frame';
import { file } from '../storage/file.ts';
export interface Lane { frame: typeof frame; file: typeof file; connect: typeof connect }
export const lane: Lane = { frame, file, connect };`,
  'apps/peer/src/storage/file.ts': `export const file = 1;`,
  'apps/peer/src/tracker-link/tracker-link.ts': `import { connect } from 'node:tls';\nexport const link = connect;`,
  'apps/peer/src/control/control.module.ts': `import { control } from './control.ts';\nexport const wiring = control;`,
  'apps/peer/src/control/control.ts': `export const control = 1;`,
  'apps/peer/src/control/endpoint.ts': `import { wiring } from './control.module.ts';\nexport const endpoint = wiring;`,
  'apps/peer/src/swarm/v-other.ts': `export { one } from './v-circle.ts';\nexport const other = 1;`,
  'apps/peer/src/control/view.ts': `export const view = 1;`,
  'apps/peer/web/src/page.tsx': `import { h } from 'preact';
import { signal } from '@preact/signals';
import type { frame } from '#wire/frame';
import { sum } from '#domain/sum';
export const page = (of: typeof frame): unknown[] => [h, signal, sum, of];`,
};

/** One violation each: the rule that has to bite, the file that breaks it, and its text. */
export const VIOLATIONS: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['domain-is-pure', 'libs/domain/src/v-node.ts', `import 'node:fs';`],
  ['domain-is-pure', 'libs/domain/src/v-npm.ts', `import 'rxjs';`],
  ['domain-is-pure', 'libs/domain/src/v-wire.ts', `import '#wire/frame';`],
  ['wire-knows-the-domain-and-validation', 'libs/wire/src/v-node.ts', `import 'node:crypto';`],
  ['wire-knows-the-domain-and-validation', 'libs/wire/src/v-nest.ts', `import '@nestjs/common';`],
  ['identity-knows-keys-and-certificates', 'libs/identity/src/v-npm.ts', `import 'rxjs';`],
  ['program-knows-logs-and-flags', 'libs/program/src/v-npm.ts', `import 'rxjs';`],
  ['traces-have-one-adapter', 'apps/peer/src/control/v-traces.ts', `import '@opentelemetry/api';`],
  ['pino-has-one-adapter', 'apps/peer/src/control/v-pino.ts', `import 'pino';`],
  ['metrics-know-prometheus', 'libs/metrics/src/v-node.ts', `import 'node:fs';`],
  ['prometheus-has-one-adapter', 'apps/peer/src/control/v-prometheus.ts', `import '@prometheus-io/client';`],
  ['libraries-know-no-app', 'libs/identity/src/v-app.ts', `import '../../../apps/peer/src/control/view.ts';`],
  ['apps-never-meet', 'apps/tracker/src/v-peer.ts', `import '../../peer/src/control/view.ts';`],
  ['apps-never-meet', 'apps/peer/src/v-tracker.ts', `import '../../tracker/src/command-log/command-log.ts';`],
  ['product-never-needs-tests-or-infrastructure', 'apps/peer/src/v-test.ts', `import '../../../test/fixture.ts';`],
  ['features-meet-at-ports', 'apps/peer/src/swarm/v-inside.ts', `import { view } from '../control/view.ts'; view;`],
  [
    'features-meet-at-ports',
    'apps/tracker/src/control/v-type.ts',
    `import type { kafka } from '../command-log/kafka-command-log.ts'; export type K = typeof kafka;`,
  ],
  ['features-know-no-wiring', 'apps/tracker/src/control/v-main.ts', `import '../main.ts';`],
  ['workers-know-no-framework', 'apps/peer/src/data-plane/v-npm.ts', `import 'reflect-metadata';`],
  ['main-thread-never-touches-content', 'apps/peer/src/swarm/v-file.ts', `import '../storage/file.ts';`],
  ['main-thread-never-touches-content', 'apps/peer/src/control/v-lane.ts', `import '../data-plane/lane.ts';`],
  ['sockets-are-the-workers-and-the-tracker-links', 'apps/peer/src/swarm/v-net.ts', `import 'node:net';`],
  ['sockets-are-the-workers-and-the-tracker-links', 'apps/peer/src/control/v-tls.ts', `import 'tls';`],
  ['kafkajs-has-one-adapter', 'apps/tracker/src/command-log/v-kafka.ts', `import 'kafkajs';`],
  ['piscina-has-one-adapter', 'apps/peer/src/swarm/v-piscina.ts', `import 'piscina';`],
  ['sqlite-has-one-adapter-and-the-lock', 'apps/tracker/src/command-log/v-sqlite.ts', `import 'node:sqlite';`],
  ['product-needs-declared-packages', 'apps/peer/src/control/v-dev.ts', `import 'fast-check';`],
  ['page-is-made-of-little', 'apps/peer/web/src/v-npm.ts', `import 'rxjs';`],
  ['page-is-made-of-little', 'apps/peer/web/src/v-node.ts', `import 'node:fs';`],
  ['page-is-made-of-little', 'apps/peer/web/src/v-peer.ts', `import '../../src/control/view.ts';`],
  [
    'page-takes-only-types-from-the-wire',
    'apps/peer/web/src/v-wire.tsx',
    `import { frame } from '#wire/frame'; frame;`,
  ],
  ['nobody-needs-the-page', 'apps/peer/src/control/v-page.ts', `import '../../web/src/page.tsx';`],
  ['imports-resolve', 'apps/peer/src/control/v-missing.ts', `import './nowhere.ts';`],
  ['imports-resolve', 'apps/peer/src/control/v-alias.ts', `import '#domain/nowhere';`],
  ['libraries-are-imported-by-name', 'apps/peer/src/v-path.ts', `import '../../../libs/domain/src/sum.ts';`],
  ['libraries-are-imported-by-name', 'libs/wire/src/v-path.ts', `import '../../domain/src/sum.ts';`],
  ['no-circles', 'apps/peer/src/swarm/v-circle.ts', `export { other } from './v-other.ts'; export const one = 1;`],
  ['workers-reach-no-framework', 'apps/peer/src/data-plane/v-reach.ts', `import '#wire/body';`],
];
