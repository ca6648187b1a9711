import { dirname } from 'node:path';

/** An Nx plugin: every project gets a `test` target that runs the tests beside its sources. */
export const createNodesV2 = [
  '{libs,services,apps,clients}/*/package.json',
  (files) =>
    files.map((file) => {
      const root = dirname(file);
      const test = { command: `node --test "${root}/src/**/*.test.ts"`, cache: false };
      return [file, { projects: { [root]: { root, targets: { test } } } }];
    }),
];
