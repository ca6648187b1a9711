import { globSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * An Nx plugin: every package gets the targets `types`, `lint`, `test` (the unit tests beside its sources) and `test-int` (those that start
 * engines, processes or a browser). What is cached, and by which inputs, is in nx.json.
 */
export const createNodesV2 = [
  '{libs,services,apps,clients}/*/package.json',
  (files, _options, { workspaceRoot }) =>
    files.map((file) => {
      const root = dirname(file);
      const targets = {
        types: { command: `node tools/check-project-types.ts ${root}` },
        lint: { command: `eslint --max-warnings=0 ${root} && prettier --check ${root}` },
      };
      const tests = globSync(`${root}/src/**/*.test.ts`, { cwd: workspaceRoot });
      const integration = `${root}/src/**/*.int.test.ts`;
      if (tests.some((test) => !test.endsWith('.int.test.ts')))
        targets.test = { command: `node --test "${root}/src/**/!(*.int).test.ts"` };
      if (tests.some((test) => test.endsWith('.int.test.ts')))
        targets['test-int'] = { command: `node --test --test-concurrency=1 "${integration}"` };
      return [file, { projects: { [root]: { root, targets } } }];
    }),
];
