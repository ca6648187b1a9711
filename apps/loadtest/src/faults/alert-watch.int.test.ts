import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { AlertWatch, alertsOf } from './alert-watch.ts';

const alert = (name: string, state: string): object => ({
  state,
  labels: { alertname: name, severity: 'page' },
});

test('alerts that begin to fire are seen with their times, from Prometheus and Alertmanager', async () => {
  let prometheus: object[] = [alert('Old', 'firing'), alert('Later', 'pending')];
  let alertmanager: object[] = [];
  const server = createServer(({ url }, response) => {
    response.end(
      JSON.stringify(url === '/prom/api/v1/alerts' ? { data: { alerts: prometheus } } : alertmanager),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let nowS = -1;
  const urls = { prometheusUrl: `${base}/prom`, alertmanagerUrl: base };
  using watch = new AlertWatch(urls, () => nowS);
  await watch.begin();
  assert.deepEqual(watch.alerts, []);
  nowS = 5;
  prometheus = [alert('Old', 'firing'), alert('Later', 'firing')];
  alertmanager = [{ labels: { alertname: 'Other' } }];
  await eventually('both are seen', () => watch.alerts!.length === 2);
  nowS = 9;
  prometheus = [];
  await eventually('one is over', () => watch.alerts!.some(({ resolvedS }) => resolvedS === 9));
  assert.deepEqual(watch.alerts, [
    { name: 'Later', severity: 'page', firedS: 5, resolvedS: 9 },
    { name: 'Other', severity: null, firedS: 5, resolvedS: null },
  ]);
  server.close();
  server.closeAllConnections();
});

test('without a source nobody was asked, and one that does not respond is an error', async () => {
  using none = new AlertWatch({ prometheusUrl: undefined, alertmanagerUrl: undefined }, () => 0);
  await none.begin();
  assert.equal(none.alerts, null);
  using absent = new AlertWatch({ prometheusUrl: 'http://127.0.0.1:1', alertmanagerUrl: undefined }, () => 0);
  await assert.rejects(absent.begin(), { code: 'target-unavailable' });
});

test('an alert belongs to the fault that is in force when it fires, or to the last one before', () => {
  const fired = (name: string, firedS: number) => ({ name, severity: null, firedS, resolvedS: null });
  const faults = [
    { startedS: 10, endedS: 20 },
    { startedS: 15, endedS: 16 },
    { startedS: 40, endedS: 40 },
  ];
  const alerts = [fired('early', 5), fired('a', 12), fired('b', 17), fired('c', 30), fired('d', 60)];
  assert.deepEqual(
    alertsOf(faults, alerts).map((of) => of!.map(({ name }) => name)),
    [['a', 'b'], ['b', 'c'], ['d']],
  );
  assert.deepEqual(alertsOf(faults, null), [null, null, null]);
});
