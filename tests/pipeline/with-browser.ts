import { temporaryFolder } from '@logloom/testing';
import { existsSync } from 'node:fs';
import { chromium, type BrowserContext } from 'playwright-core';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Undefined if there is a browser, else why a test with it is skipped. */
export const whyNoBrowser = existsSync(executablePath)
  ? undefined
  : `engine missing: Chromium (${executablePath})`;

/** Runs a browser with an empty profile; `resolve` are rules by which it finds hosts, whose certificates it then does not check. */
export async function withBrowser(
  use: (context: BrowserContext) => Promise<void>,
  resolve?: string,
): Promise<void> {
  using profile = temporaryFolder('chromium');
  const context = await chromium.launchPersistentContext(profile.path, {
    executablePath,
    headless: true,
    ignoreHTTPSErrors: resolve !== undefined,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(resolve === undefined ? [] : [`--host-resolver-rules=${resolve}`]),
    ],
  });
  try {
    await use(context);
  } finally {
    await context.close();
  }
}
