/** The files of `values/`, one over the other, by what they are for. */
export const cases: Readonly<Record<string, readonly string[]>> = {
  single: ['single.yaml'],
  services: ['services.yaml'],
  hpa: ['services.yaml', 'hpa.yaml'],
  keda: ['services.yaml', 'hpa.yaml', 'keda.yaml'],
  canary: ['services.yaml', 'canary.yaml'],
  hardened: ['services.yaml', 'hardened.yaml'],
  'canary, hardened': ['services.yaml', 'canary.yaml', 'hardened.yaml'],
  'single, hardened': ['services.yaml', 'hardened.yaml', 'only-single.yaml'],
};
