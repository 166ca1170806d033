// Owns the OpenAPI document: paths from the controllers, schemas from the rules that class-validator checks anyway, so the
// contract cannot say anything else than what is enforced.
import { applyDecorators, type INestApplication } from '@nestjs/common';
import {
  ApiDefaultResponse,
  ApiProperty,
  type ApiPropertyOptions,
  DocumentBuilder,
  type OpenAPIObject,
  SwaggerModule,
} from '@nestjs/swagger';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, ValidationTypes } from 'class-validator';
import { ProblemView } from '#wire/control-answers';
import { FilesChangedView, LiveEventView, TransferProgressView } from '#wire/control-live-events';
import { CONTROL_SCHEMAS } from '#wire/control-schemas';

type SchemaClass = new () => object;
type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** Every address may answer with a problem document. */
export function ProblemResponses(): ClassDecorator & MethodDecorator {
  return applyDecorators(
    ApiDefaultResponse({
      description: 'Refused or failed: the code says why.',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemView' } } },
    }),
  );
}

/** The document of an application with the controllers of this folder. */
export function controlDocument(app: INestApplication): OpenAPIObject {
  describeSchemas();
  const config = new DocumentBuilder()
    .setTitle('Cohort peer')
    .setDescription('The control endpoint of one peer. Errors are problem documents with a code of a closed set.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'The token in control-token in the data directory.' })
    .addSecurityRequirements('bearer')
    .build();
  return SwaggerModule.createDocument(app, config, {
    extraModels: [ProblemView, LiveEventView, TransferProgressView, FilesChangedView],
  });
}

let isDescribed = false;

function describeSchemas(): void {
  if (isDescribed) return;
  isDescribed = true;
  const { withOptionalFields, withOptionalNullableFields, withNullableFields } = CONTROL_SCHEMAS;
  for (const schema of withOptionalFields) describe(schema, { required: false });
  for (const schema of withOptionalNullableFields) describe(schema, { required: false, nullable: true });
  for (const schema of withNullableFields) describe(schema, { required: true, nullable: true });
}

/** What a field is that may be left out or null. */
interface Presence {
  readonly required: boolean;
  readonly nullable?: boolean;
}

/** Adds what Swagger needs to know of each field. */
function describe(schema: SchemaClass, presence: Presence): void {
  for (const [field, rules] of rulesByField(schema)) {
    const options: object = Object.assign(nestedType(schema, field), ...rules.map(optionsOf));
    ApiProperty({ ...options, ...presenceOf(rules, presence) } as ApiPropertyOptions)(
      schema.prototype as object,
      field,
    );
  }
}

function presenceOf(rules: readonly Rule[], presence: Presence): Presence {
  if (rules.some(({ name }) => name === 'isOptional')) return presence;
  // Under a condition of its own a field may be left out, and may not be null.
  const isConditional = rules.some(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION);
  return { required: presence.required || !isConditional };
}

function rulesByField(schema: SchemaClass): Map<string, Rule[]> {
  const rules = getMetadataStorage().getTargetValidationMetadatas(schema, '', false, false);
  return Map.groupBy(
    // class-validator lists the rules of a parent class after those of the class itself.
    rules.toSorted((left, right) => depthOf(left.target) - depthOf(right.target)),
    ({ propertyName }) => propertyName,
  );
}

function depthOf(target: Rule['target']): number {
  let depth = 0;
  for (let parent = target as object | null; typeof parent === 'function'; parent = Object.getPrototypeOf(parent))
    depth++;
  return depth;
}

function nestedType(schema: SchemaClass, field: string): object {
  const type = defaultMetadataStorage.findTypeMetadata(schema, field);
  const nested = type?.typeFunction() as SchemaClass | typeof Number | undefined;
  return nested === undefined || nested === Number ? {} : { type: nested };
}

/** What one rule says in the words of a JSON schema. */
function optionsOf({ name, constraints }: Rule): object {
  switch (name) {
    case 'isInt':
      return { type: 'integer' };
    case 'isNumber':
      return { type: 'number' };
    case 'isBoolean':
      return { type: 'boolean' };
    case 'isObject':
      return { type: 'object', additionalProperties: true };
    case 'isArray':
      return { isArray: true };
    case 'arrayMinSize':
      return { minItems: constraints[0] };
    case 'arrayMaxSize':
      return { maxItems: constraints[0] };
    case 'isString':
      return { type: 'string' };
    case 'isLength':
      return { type: 'string', minLength: constraints[0], maxLength: constraints[1] };
    case 'min':
      return { minimum: constraints[0] };
    case 'max':
      return { maximum: constraints[0] };
    case 'matches':
      return { type: 'string', pattern: (constraints[0] as RegExp).source };
    case 'isIn':
      return { type: 'string', enum: constraints[0] };
    case 'isUuid':
      return { type: 'string', format: 'uuid' };
    case 'isBase64':
      return { type: 'string', format: 'byte' };
    case 'isRFC3339':
      return { type: 'string', format: 'date-time' };
    case 'isPathBelow':
      return { type: 'string', minLength: 1, maxLength: 4096 };
    case 'arePieceRuns':
      return { type: 'array', items: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 } };
    case 'isUserName':
      return { type: 'string', minLength: 1, maxLength: 64 };
    case 'isFileName':
      return { type: 'string', minLength: 1, maxLength: 255 };
    default:
      return {};
  }
}
