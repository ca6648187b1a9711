import { format, resolveConfig } from 'prettier';
import { join } from 'node:path';
import { cliPage } from './cli-page.ts';
import { errorsPage } from './errors-page.ts';
import { layoutsPage } from './layouts-page.ts';
import { fieldsPage } from './fields-page.ts';
import { metricsPage } from './metrics-page.ts';
import { settingsPage } from './settings-page.ts';

const root = join(import.meta.dirname, '../..');

/** Every generated page: its path from the root, and the function that returns its Markdown. */
const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/api/cli.md': cliPage,
  'docs/errors.md': errorsPage,
  'docs/layouts.md': layoutsPage,
  'docs/fields.md': fieldsPage,
  'docs/metrics.md': metricsPage,
  'docs/settings.md': settingsPage,
};

/** The generated pages as they are committed, formatted. */
export async function generatedPages(): Promise<{ file: string; text: string }[]> {
  return Promise.all(
    Object.entries(pages).map(async ([file, write]) => {
      const options = await resolveConfig(join(root, file));
      return { file, text: await format(await write(), { ...options, parser: 'markdown' }) };
    }),
  );
}
