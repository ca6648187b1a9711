import nx from '@nx/eslint-plugin';
import { defineConfig } from 'eslint/config';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tseslint from 'typescript-eslint';

// The boundary rule reads Nx's cached project graph and skips itself where there is none, as in a fresh clone: make it first.
execFileSync(
  process.execPath,
  [join(import.meta.dirname, 'node_modules/nx/dist/bin/nx.js'), 'show', 'projects'],
  {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NX_DAEMON: 'false' },
  },
);

const boundaries = [
  { sourceTag: 'type:contract', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:contract', 'type:lib'] },
  { sourceTag: 'type:service', onlyDependOnLibsWithTags: ['type:contract', 'type:lib'] },
  { sourceTag: 'type:client', onlyDependOnLibsWithTags: ['type:client'] },
  { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['*'] },
];

const testCalls = ['test', 'it', 'describe', 'suite'];

const environmentAccess = [
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'Only a composition root (main.ts) reads process.env: take the setting as an argument.',
  },
  {
    selector: "ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name='env']",
    message: 'Only a composition root (main.ts) reads process.env: take the setting as an argument.',
  },
];

// What a page may use is what TypeScript's DOM library declares.
const domLibrary = readFileSync(
  join(import.meta.dirname, 'node_modules/typescript/lib/lib.dom.d.ts'),
  'utf8',
);
const browserGlobals = [...domLibrary.matchAll(/^declare (?:var|function) (\w+)/gm)].map((match) => match[1]);

export default defineConfig(
  { ignores: ['**/node_modules/', 'libs/schemas/src/generated/', 'data/', '**/dist/', '.nx/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          // Tests on real engines, and clients' on a running Logloom, start them from there; they belong to no project.
          allow: [
            '/infra/local/start-stack.ts',
            '/infra/local/shared-stack.ts',
            '/tests/pipeline/pipeline.ts',
          ],
          depConstraints: boundaries,
        },
      ],
      'no-restricted-syntax': ['error', ...environmentAccess],
      eqeqeq: 'error',
      // An adapter on a synchronous engine still implements an asynchronous port.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: testCalls }] },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['{libs,services,apps,clients}/*/src/**/*.ts'],
    ignores: ['libs/testing/**', '**/{testing,contract}/**', '**/*.test.ts', '**/*.child.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: '@logloom/testing', message: 'For tests only: not for what is delivered.' }] },
      ],
    },
  },
  {
    files: ['**/main.ts', '**/*.test.ts', 'tools/**', 'bench/**', 'tests/**'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['apps/console/src/page/**/*.js'],
    languageOptions: {
      globals: Object.fromEntries(browserGlobals.map((name) => [name, 'readonly'])),
    },
    rules: {
      'no-undef': 'error',
      'no-restricted-globals': ['error', 'event', 'length', 'name', 'parent', 'status', 'top'],
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
);
