/** `node infra/kubernetes/render.ts` writes the plain manifests again from the chart. The first run builds Helm, which takes minutes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goTool } from '../local/go-tool.ts';
import { plainFolder, plainManifest, plainManifests } from './plain-manifests.ts';

const helm = await goTool('helm', new AbortController().signal);
for (const [file, values] of Object.entries(plainManifests)) {
  writeFileSync(join(plainFolder, file), await plainManifest(helm, values));
  console.log(`infra/kubernetes/plain/${file}`);
}
