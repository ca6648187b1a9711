import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import yaml from 'yaml';
import { goModule } from '../../local/go-tool.ts';
import { versions } from '../../local/versions.ts';
import type { Manifest } from './manifest.ts';

/** A CustomResourceDefinition, as its module has it. */
export interface Definition {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: object } }[];
  };
}

/** The name of an object's schema, as kubeconform asks for it with `{{ .ResourceKind }}{{ .KindSuffix }}.json`. */
function fileOf(kind: string, apiVersion: string): string {
  const [group = '', version] = apiVersion.split('/');
  const suffix = version === undefined ? group : `${group.split('.')[0]}-${version}`;
  return `${kind}-${suffix}.json`.toLowerCase();
}

/**
 * Writes the strict schemas of these objects into the folder, each with all that it refers to: kubeconform does not find what Python's
 * kubernetes-validate, whose schemas they are, finds by its name. `version` is Kubernetes', such as 1.31.0.
 */
export function writeKubernetesSchemas(
  packageFolder: string,
  version: string,
  manifests: readonly Manifest[],
  folder: string,
): void {
  const source = join(packageFolder, `kubernetes-json-schema/v${version}-local-strict`);
  const read = (file: string): Record<string, unknown> => {
    const text = readFileSync(join(source, file), 'utf8').replaceAll('/api/_definitions.json#', '#');
    const { $id: _, ...schema } = JSON.parse(text) as Record<string, unknown>;
    return schema;
  };
  const { $defs } = read('_definitions.json');
  for (const file of new Set(manifests.map(({ kind, apiVersion }) => fileOf(kind, apiVersion))))
    if (existsSync(join(source, file)))
      writeFileSync(join(folder, file), JSON.stringify({ ...read(file), $defs }));
}

/** The definitions of those of KEDA's and the Prometheus operator's objects that the chart makes, from their Go modules. */
export async function operatorDefinitions(signal: AbortSignal): Promise<Definition[]> {
  const sources = [
    ['github.com/kedacore/keda/v2', versions.keda, 'config/crd/bases/keda.sh_scaledobjects.yaml'],
    [
      'github.com/prometheus-operator/prometheus-operator',
      versions.prometheusOperator,
      'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
    ],
  ] as const;
  return Promise.all(
    sources.map(
      async ([module, version, file]) =>
        yaml.parse(
          readFileSync(join(await goModule(module, version, file, signal), file), 'utf8'),
        ) as Definition,
    ),
  );
}

/** Writes the schemas of these objects. */
export async function writeOperatorSchemas(folder: string, signal: AbortSignal): Promise<void> {
  for (const { spec } of await operatorDefinitions(signal))
    for (const { name, schema } of spec.versions) {
      const closed = strict(schema.openAPIV3Schema) as { properties: Record<string, unknown> };
      // Every object has it; definitions leave it to Kubernetes.
      closed.properties['metadata'] = { type: 'object' };
      writeFileSync(join(folder, fileOf(spec.names.kind, `${spec.group}/${name}`)), JSON.stringify(closed));
    }
}

/** The schema without fields that are not declared, as the API server prunes them. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const isOpen = 'x-kubernetes-preserve-unknown-fields' in schema || 'additionalProperties' in schema;
  if ('properties' in schema && !isOpen) closed['additionalProperties'] = false;
  return closed;
}
