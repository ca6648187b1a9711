/** Every version that the local stack fetches, in one place. README.md has what was measured with them. */
export const versions = {
  /** Kafka 4.3.1 is built for Java 17 and logs through slf4j 1.7. */
  kafka: '4.3.1',
  slf4jSimple: '1.7.36',
  /** Apicurio 3.0.9 is the newest that runs on Java 17 and is complete in Maven Central. */
  apicurio: '3.0.9',
  elasticsearch: '9.5.3',
  mongoJavaServer: '1.47.0',
  zipkin: '3.5.1',
  /** Eclipse's Java compiler: the few classes of ours are compiled where there is only a JRE. */
  ecj: '3.40.0',
  mavenDependencyPlugin: '2.8',
  /** What checks the Helm chart, built from Go modules (go-tool.ts), and the modules that have the definitions of what is no part of Kubernetes. */
  helm: '4.3.1',
  kubeconform: '0.8.0',
  /** Kubernetes: the newest version that the chart is checked with. */
  'kube-apiserver': '1.37.2',
  keda: '2.21.0',
  prometheusOperator: '0.85.0',
  /** What tests of infra/proxy start. Traefik 3.7 needs a folder (pkg/config/dynamic/ext) that the download of its module lacks. */
  traefik: '3.6.12',
  'oauth2-proxy': '7.15.6',
} as const;

/** The oldest Java that an engine runs on. Elasticsearch 9 has class files for 21; it was tried on 25. */
export const oldestJava = {
  kafka: 17,
  schemaRegistry: 17,
  elasticsearch: 21,
  mongodb: 17,
  zipkin: 17,
} as const;

/** The oldest Go 1.x that all of them are built with. */
export const oldestGo = 26;
