// Owns the check of what peers send: class-validator with unknown fields refused, every problem named with its field.
import { type ArgumentMetadata, type PipeTransform, type Type, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { PEER_COMMAND_BODIES, type PeerCommandBody, type PeerCommandName } from '#wire/tracker-api';
import type { FieldError } from '#wire/wire-error';
import { PayloadPlan } from './payload-plan.ts';

/** A payload that is not what its pattern asks for. */
export class InvalidPayload extends Error {
  readonly errors: readonly FieldError[];
  constructor(errors: readonly FieldError[]) {
    super('the payload is not well-formed');
    this.errors = errors;
  }
}

const ERRORS_MAX = 20;

/** The libraries' own check, for whatever a plan does not take; rejects with InvalidPayload. */
export const thoroughPipe: PipeTransform = new ValidationPipe({
  transform: true,
  whitelist: true,
  forbidNonWhitelisted: true,
  validationError: { target: false, value: false },
  exceptionFactory: (errors) => new InvalidPayload(errors.flatMap((error) => fieldErrors(error)).slice(0, ERRORS_MAX)),
});

const plans = new Map<Type<object>, PayloadPlan | null>();

/** The pipe of every payload; rejects with InvalidPayload. */
export const payloadPipe: PipeTransform = {
  transform: (payload: unknown, metadata: ArgumentMetadata) =>
    planOf(metadata.metatype as Type<object>)?.take(payload) ?? thoroughPipe.transform(payload, metadata),
};

/** A command's body as its class has it. Its fields are named alone: `user`, not `body.user`. */
export async function checkedBody<Name extends PeerCommandName>(
  name: Name,
  body: object,
): Promise<PeerCommandBody<Name>> {
  const metatype: Type<object> = PEER_COMMAND_BODIES[name];
  return (await payloadPipe.transform(body, { type: 'body', metatype })) as PeerCommandBody<Name>;
}

function planOf(metatype: Type<object>): PayloadPlan | null {
  let plan = plans.get(metatype);
  if (plan === undefined) {
    plan = PayloadPlan.of(metatype);
    plans.set(metatype, plan);
  }
  return plan;
}

function fieldErrors({ property, constraints, children }: ValidationError, path = ''): FieldError[] {
  const field = path + property;
  const own = Object.values(constraints ?? {}).map((text) => ({ field, message: text.replace(`${property} `, '') }));
  return [...own, ...(children ?? []).flatMap((child) => fieldErrors(child, `${field}.`))];
}
