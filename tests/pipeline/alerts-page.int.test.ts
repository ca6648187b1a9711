import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';
import { whyNoBrowser, withBrowser } from './with-browser.ts';

const rules = `rules:
  - name: card-refused
    description: A payment failed because the card was refused
    when: message:refused
    severity: critical
    labels: { team: payments }
    alert: true
  - { name: slow, description: A request took more than a second, when: 'durationMs:>1000', severity: low, labels: { team: web }, alert: true }
`;

test(
  'a person sees what fires and why, opens an example, takes care of an alert and silences another',
  { skip: whyNoBrowser ?? false },
  async () => {
    await using pipeline = await Pipeline.create({
      CORRELATION_IDLE_MS: '200',
      CORRELATION_RULES: 'rules.yaml',
    });
    writeFileSync(join(pipeline.dataFolder, 'rules.yaml'), rules);
    await pipeline.start();
    await withBrowser(async (context) => {
      const page = await context.newPage();
      const failures: string[] = [];
      page.on('pageerror', (error) => failures.push(String(error)));
      await page.goto(`${pipeline.viewersUrl}/#alerts`);
      await page.getByTestId('alerts-empty').waitFor({ state: 'visible' });

      const line = { level: 'error', service: 'payment', message: 'the card was refused', durationMs: 1500 };
      for (const traceId of ['order-1', 'order-2'])
        await pipeline.ingest(JSON.stringify({ ...line, traceId }));
      const card = (text: string) => page.getByTestId('alert-card').filter({ hasText: text });
      await eventually('both alerts show by themselves, with both requests', async () => {
        const cards = await page.getByTestId('alert-card').allInnerTexts();
        return cards.length === 2 && cards.every((text) => text.includes('2 times'));
      });
      assert.match(
        await page.getByTestId('alert-card').first().innerText(),
        /critical/,
        'the more severe one is first',
      );
      assert.match(await card('A payment failed').innerText(), /firing[^]*critical[^]*team=payments/i);

      await card('A payment failed').getByTestId('acknowledge').click();
      await page.getByTestId('dialog-note').fill('calling the bank');
      await page.getByTestId('dialog-author').fill('ada');
      await page.getByTestId('dialog-submit').click();
      await card('A payment failed').getByTestId('alert-acknowledged').waitFor({ state: 'visible' });
      assert.equal(
        await card('A payment failed').getByTestId('alert-acknowledged').innerText(),
        'ada is on it: calling the bank',
      );

      await card('more than a second').getByTestId('silence').click();
      assert.equal(
        await page.getByTestId('dialog-author').inputValue(),
        'ada',
        'the page remembers who it is',
      );
      await page.getByTestId('dialog-reason').fill('the database is being moved');
      await page.getByTestId('dialog-submit').click();
      await card('more than a second').getByTestId('alert-silenced').waitFor({ state: 'visible' });

      await page.getByTestId('filter-input').fill('silenced:true');
      await page.getByTestId('filter-input').press('Enter');
      await eventually(
        'the filter leaves one',
        async () => (await page.getByTestId('alert-card').count()) === 1,
      );
      await page.getByTestId('filter-input').fill('');
      await page.getByTestId('filter-input').press('Enter');

      await page.getByTestId('alerts-silences').click();
      await page.getByTestId('silence-card').waitFor({ state: 'visible' });
      assert.match(
        await page.getByTestId('silence-card').innerText(),
        /alertname=slow[^]*the database is being moved/,
      );
      await page.getByTestId('end-silence').click();
      await eventually('it has ended', async () =>
        /expired/i.test(await page.getByTestId('silence-card').innerText()),
      );

      await page.getByTestId('alerts-history').click();
      await eventually('the history has all of it, the newest first', async () => {
        const rows = await page.getByTestId('alert-history-row').allInnerTexts();
        const kinds = rows.map((row) => /firing|silence|acknowledgement/i.exec(row)?.[0].toLowerCase());
        return kinds.slice(0, 3).join() === 'silence,silence,acknowledgement' && kinds.length === 7;
      });

      await page.getByTestId('alerts-open').click();
      await card('A payment failed').getByTestId('alert-example').first().click();
      await eventually('the request that is its newest example', async () =>
        (await page.locator('#view-requests').innerText()).includes('order-2'),
      );
      await eventually('the request names its alerts, each with its own severity', async () => {
        const text = await page.getByTestId('request-alerts').innerText();
        return /critical\s*A payment failed/.test(text) && /low\s*A request took/.test(text);
      });
      await page.getByTestId('request-alerts').getByRole('link', { name: 'A payment failed' }).click();
      await eventually('and leads back to the alert', async () => {
        const cards = await page.getByTestId('alert-card').allInnerTexts();
        return cards.length === 1 && cards[0]!.includes('A payment failed');
      });
      assert.deepEqual(failures, []);
    });
  },
);
