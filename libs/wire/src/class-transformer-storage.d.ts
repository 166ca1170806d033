// class-transformer keeps which class a nested field has, and how a field is spelled, in a storage that it ships without
// types for this path.
declare module 'class-transformer/cjs/storage.js' {
  import type { TransformFnParams, TransformationType } from 'class-transformer';

  /** Where class-transformer keeps what decorators say. */
  export const defaultMetadataStorage: {
    findTypeMetadata(target: object, property: string): { typeFunction(): unknown } | undefined;
    findTransformMetadatas(
      target: object,
      property: string,
      type: TransformationType,
    ): { readonly transformFn: (params: TransformFnParams) => unknown }[];
  };
}
