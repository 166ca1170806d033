// Owns the order of test files: whole systems first. They take longest, and not because their texts are long, by which Vitest goes
// where it has run nothing yet: at the end one of them would run alone.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const SYSTEMS = /\/test\/(?:browser|contract|e2e)\//;

export class SystemsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const { systems = [], others = [] } = Object.groupBy(sorted, ({ moduleId }) =>
      SYSTEMS.test(moduleId) ? 'systems' : 'others',
    );
    return [...systems, ...others];
  }
}
