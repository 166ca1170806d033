// Owns the quick way through the check of a payload: what class-validator and class-transformer know of a class is looked up
// once and not for each message, where that took a fifth of what a command costs. A plan takes what is right and nothing
// else; whatever it is not sure of goes the libraries' own way, which alone refuses, and says why.
import { TransformationType, type TransformFnParams } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import {
  getMetadataStorage,
  type ValidationArguments,
  type ValidatorConstraintInterface,
  ValidationTypes,
} from 'class-validator';

type ValidationMetadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
type Fields = Record<string, unknown>;
type Class = new () => object;

/** One rule of a field. */
interface Check {
  readonly constraints: unknown[];
  readonly isEach: boolean;
  readonly rule: ValidatorConstraintInterface;
}

interface FieldPlan {
  readonly name: string;
  readonly respell: readonly ((params: TransformFnParams) => unknown)[];
  /** Whether the field is looked at at all. */
  readonly conditions: readonly ((object: object, value: unknown) => boolean)[];
  readonly checks: readonly Check[];
  readonly hasNested: boolean;
}

/** How a payload of one class is checked. */
export class PayloadPlan {
  readonly #metatype: Class;
  readonly #fields: ReadonlyMap<string, FieldPlan>;

  private constructor(metatype: Class, fields: ReadonlyMap<string, FieldPlan>) {
    this.#metatype = metatype;
    this.#fields = fields;
  }

  /** The plan of a class, or null when something about it wants the libraries themselves. */
  static of(metatype: Class): PayloadPlan | null {
    const metadatas = getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false);
    if (!metadatas.every(isPlain)) return null;
    const names = new Set(metadatas.map(({ propertyName }) => propertyName));
    const fields = [...names].map((name) => [name, fieldPlan(metatype, name, metadatas)] as const);
    return new PayloadPlan(metatype, new Map(fields));
  }

  /**
   * The payload as an instance of its class when all of it is certainly in order, otherwise null. A field that is an object
   * is passed on as it came: whoever takes it checks it.
   */
  take(payload: unknown): object | null {
    if (!isPlainObject(payload)) return null;
    const instance = new this.#metatype() as Fields;
    for (const name of Object.keys(payload)) {
      const field = this.#fields.get(name);
      const value = payload[name];
      if (field === undefined) return null;
      instance[name] = respelled(field, value, payload);
    }
    for (const field of this.#fields.values()) if (!isInOrder(field, instance)) return null;
    return instance;
  }
}

function fieldPlan(metatype: Class, name: string, metadatas: readonly ValidationMetadata[]): FieldPlan {
  const own = metadatas.filter(({ propertyName }) => propertyName === name);
  const conditional = own.filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION);
  const respellings = defaultMetadataStorage.findTransformMetadatas(metatype, name, TransformationType.PLAIN_TO_CLASS);
  return {
    name,
    respell: respellings.map(({ transformFn }) => transformFn),
    conditions: conditional.map(({ constraints }) => constraints[0] as FieldPlan['conditions'][number]),
    checks: own.filter(({ type }) => type === ValidationTypes.CUSTOM_VALIDATION).flatMap(checksOf),
    hasNested: own.some(({ type }) => type === ValidationTypes.NESTED_VALIDATION),
  };
}

function checksOf({ constraintCls, constraints, each }: ValidationMetadata): Check[] {
  const rules = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  return rules.map(({ instance }) => ({ constraints, isEach: each, rule: instance }));
}

/** Whether a rule is one of those that are understood here: no groups, nothing asynchronous. */
function isPlain({ type, groups, always, validateIf, constraintCls }: ValidationMetadata): boolean {
  if ((groups ?? []).length > 0 || always === true || validateIf !== undefined) return false;
  if (type === ValidationTypes.CONDITIONAL_VALIDATION || type === ValidationTypes.NESTED_VALIDATION) return true;
  const rules = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  return type === ValidationTypes.CUSTOM_VALIDATION && rules.every(({ async }) => !async);
}

function respelled({ name, respell }: FieldPlan, value: unknown, obj: Fields): unknown {
  let spelled = value;
  for (const transform of respell) {
    const type = TransformationType.PLAIN_TO_CLASS;
    spelled = transform({ value: spelled, key: name, obj, type, options: {} });
  }
  return spelled;
}

function isInOrder({ name, conditions, checks, hasNested }: FieldPlan, object: Fields): boolean {
  const value = object[name];
  for (const mustBeChecked of conditions) if (!mustBeChecked(object, value)) return true;
  if (hasNested && !(Array.isArray(value) && value.length === 0)) return false;
  for (const { constraints, isEach, rule } of checks) {
    const about: ValidationArguments = { targetName: '', property: name, object, value, constraints };
    const isRight = isEach && Array.isArray(value) ? value.every((item) => rule.validate(item, about) === true) : null;
    if (!(isRight ?? rule.validate(value, about) === true)) return false;
  }
  return true;
}

function isPlainObject(value: unknown): value is Fields {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
