import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import ts from 'typescript-eslint';

/** Which library may use which: the arrows of the architecture, and no others (README, "Where code lives"). */
const arrows = {
  'lib:contract': [],
  'lib:conformance': ['lib:contract'],
  'lib:pod-model': ['lib:contract'],
  'lib:service-kit': ['lib:contract'],
  'lib:sidecar-kit': ['lib:contract', 'lib:pod-model', 'lib:service-kit'],
  'lib:kube': [],
  'lib:kubelet-server': ['lib:contract', 'lib:service-kit'],
  'lib:testbed': ['lib:kube'],
  'app:vk-node': ['lib:contract', 'lib:pod-model', 'lib:service-kit', 'lib:kube', 'lib:kubelet-server'],
  'app:interlink-api': ['lib:contract', 'lib:service-kit'],
  'app:docker-sidecar': ['lib:contract', 'lib:pod-model', 'lib:service-kit', 'lib:sidecar-kit'],
  'kind:tool': ['kind:lib'],
};

/** Only these may load the Kubernetes client at run time: it costs seconds and a hundred megabytes. */
const kubeClientUsers = [
  'apps/vk-node/**',
  'apps/k8s-sidecar/**',
  'libs/kube/**',
  'libs/testbed/**',
  'tools/**',
  'e2e/**',
];

export default ts.config(
  { ignores: ['**/dist', '**/node_modules', '.nx'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints: Object.entries(arrows).map(([sourceTag, onlyDependOnLibsWithTags]) => ({
            sourceTag,
            onlyDependOnLibsWithTags,
          })),
        },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // An interface may ask for a promise where there is nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: kubeClientUsers,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: '@kubernetes/client-node', allowTypeImports: true }] },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', 'e2e/**'],
    rules: { '@typescript-eslint/unbound-method': 'off', '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly' } } },
);
