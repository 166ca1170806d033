// The committed OpenAPI file is what the code serves. `npx vitest run test/contract/control-api.openapi.test.ts -u` writes it anew.
import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CONTROL_COMMAND_BODIES } from '#wire/control-requests';
import { createControlApp } from '../../apps/peer/src/control/control-endpoint.ts';
import { CONTROL_NEEDS } from '../../apps/peer/src/control/control.module.ts';
import { controlDocument } from '../../apps/peer/src/control/openapi-document.ts';

describe('the OpenAPI document', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await createControlApp(CONTROL_NEEDS.map((provide) => ({ provide, useValue: {} })));
  });
  afterAll(() => app.close());

  test('is the committed file', async () => {
    await expect(`${JSON.stringify(controlDocument(app), null, 2)}\n`).toMatchFileSnapshot(
      '../../libs/wire/control-api.openapi.json',
    );
  });

  test('describes every command with its body, its answer and its problems', () => {
    const { paths } = controlDocument(app);
    for (const command of Object.keys(CONTROL_COMMAND_BODIES)) {
      const operation = paths[`/api/v1/commands/${command}`]?.post;
      expect(operation?.requestBody, command).toBeDefined();
      expect(Object.keys(operation?.responses ?? {}), command).toEqual(expect.arrayContaining(['200', 'default']));
    }
  });

  test('gives every schema its fields', () => {
    const schemas = controlDocument(app).components?.schemas ?? {};
    const empty = Object.entries(schemas).filter(([, schema]) => !('properties' in schema) || !schema.properties);
    expect(empty.map(([name]) => name)).toEqual([]);
    expect(Object.keys(schemas).length).toBeGreaterThan(30);
  });
});
