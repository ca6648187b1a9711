import { globSync } from 'node:fs';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { compileJava } from './compile-java.ts';
import type { EngineContext } from './engine.ts';
import { fetchWithDependencies } from './maven.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { runCommand } from './run-command.ts';
import { oldestJava, versions } from './versions.ts';

const version = versions.elasticsearch;
const sourceDir = join(import.meta.dirname, 'java/elasticsearch');
const sources = ['LocalNode.java', 'RootEndpoint.java', 'PackPlugin.java'];
const libraryPattern = '{/usr/lib,/usr/lib/*-linux-gnu,/usr/lib64}/libzstd.so.1';

/**
 * Puts an Elasticsearch together from the jars of Maven Central (there is no 9.x archive of it there) and our few classes:
 * `lib` for the class path, `native` for libzstd, and `home` with the transport module and the plugin.
 */
export async function assembleElasticsearch(java: string, context: EngineContext): Promise<string> {
  const { cacheDir, signal } = context;
  const [zstd] = globSync(libraryPattern);
  if (zstd === undefined)
    throw new MissingPrerequisite('elasticsearch', 'libzstd', 'apt-get install libzstd1');
  const texts = await Promise.all(sources.map((source) => readFile(join(sourceDir, source), 'utf8')));
  const inputs = [version, ...texts, 'all in jars'];
  return cachedFolder(cacheDir, `elasticsearch-${version}`, inputs, signal, async (folder) => {
    const lib = join(folder, 'lib');
    const transport = join(folder, 'home/modules/transport-netty4');
    const plugin = join(folder, 'home/plugins/root-endpoint');
    const native = join(folder, 'native');
    for (const needed of [transport, plugin, native]) await mkdir(needed, { recursive: true });
    await symlink(zstd, join(native, 'libzstd.so'));

    const artifacts = [
      { groupId: 'org.elasticsearch', artifactId: 'elasticsearch', version },
      { groupId: 'org.elasticsearch.plugin', artifactId: 'transport-netty4', version },
    ];
    await fetchWithDependencies('elasticsearch', artifacts, lib, signal);
    const classes = join(folder, 'classes');
    const paths = sources.map((source) => join(sourceDir, source));
    const release = oldestJava.elasticsearch;
    await compileJava({
      engine: 'elasticsearch',
      java,
      release,
      sources: paths,
      libs: lib,
      output: classes,
      cacheDir,
      signal,
    });

    // A module is loaded by a class loader of its own, so its jars must not be on the class path.
    for (const jar of globSync(join(lib, '*{netty,elasticsearch-ssl-config}*.jar')))
      await rename(jar, join(transport, basename(jar)));
    await describe(transport, 'transport-netty4', 'org.elasticsearch.transport.netty4.Netty4Plugin');

    // The same goes for the plugin: its class moves from the class path into its jar.
    const pluginClasses = join(folder, 'plugin-classes');
    await mkdir(pluginClasses);
    await rename(join(classes, 'logloom'), join(pluginClasses, 'logloom'));
    const jar = join(plugin, 'root-endpoint.jar');
    await runCommand(java, ['-cp', classes, 'PackPlugin', pluginClasses, jar], signal);
    await describe(plugin, 'root-endpoint', 'logloom.RootEndpoint');

    // A JVM can archive the classes of jars only.
    await runCommand(java, ['-cp', classes, 'PackPlugin', classes, join(lib, 'local-node.jar')], signal);
  });
}

async function describe(folder: string, name: string, className: string): Promise<void> {
  const lines = [
    `description=${name}`,
    `version=${version}`,
    `name=${name}`,
    `java.version=${oldestJava.elasticsearch}`,
    `elasticsearch.version=${version}`,
    `classname=${className}`,
  ];
  await writeFile(join(folder, 'plugin-descriptor.properties'), lines.join('\n'));
}
