import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { originOf } from './file-origin.ts';

const id = 'ab'.repeat(32);

test("the names of Kubernetes' folders", () => {
  const link = `/var/log/containers/shop-7d9c4b5f6-x2x9z_prod_web-${id}.log`;
  assert.deepEqual(originOf(link), {
    service: 'web',
    host: 'shop-7d9c4b5f6-x2x9z',
    attributes: {
      'log.file.path': link,
      'container.id': id,
      'kubernetes.pod.name': 'shop-7d9c4b5f6-x2x9z',
      'kubernetes.namespace': 'prod',
      'kubernetes.container.name': 'web',
    },
  });
  const uid = '0ad23ba5-7f0e-4f8a-9c3f-3b5d9a1e2c11';
  const pod = `/var/log/pods/prod_shop-0_${uid}/web/3.log.20250314-092653.gz`;
  assert.deepEqual(originOf(pod), {
    service: 'web',
    host: 'shop-0',
    attributes: {
      'log.file.path': pod,
      'kubernetes.pod.uid': uid,
      'kubernetes.container.restart_count': 3,
      'kubernetes.pod.name': 'shop-0',
      'kubernetes.namespace': 'prod',
      'kubernetes.container.name': 'web',
    },
  });
});

test("Docker's folders, with the container's configuration or without", () => {
  const folder = join(temporaryFolder('docker').path, 'containers', id);
  mkdirSync(folder, { recursive: true });
  const log = join(folder, `${id}-json.log`);
  assert.deepEqual(originOf(log), { attributes: { 'log.file.path': log, 'container.id': id } });
  const config = {
    Name: '/shop-web-1',
    Config: { Hostname: 'abcdef', Image: 'shop:1', Labels: { 'com.docker.compose.service': 'web' } },
  };
  writeFileSync(join(folder, 'config.v2.json'), JSON.stringify(config));
  assert.deepEqual(originOf(`${log}.1`), {
    service: 'web',
    host: 'abcdef',
    attributes: {
      'log.file.path': `${log}.1`,
      'container.id': id,
      'container.name': 'shop-web-1',
      'container.image.name': 'shop:1',
    },
  });
});

test('any other file is its path only', () => {
  assert.deepEqual(originOf('/var/log/app.log'), { attributes: { 'log.file.path': '/var/log/app.log' } });
});
