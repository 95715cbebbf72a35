/** Go's zero value of interLink's job config: its API always sends it, and plugins that parse strictly insist on it. */
export const zeroJobConfig = {
  SingularityHubProxy: { server: '', master_token: '', cache_validity_seconds: 0 },
  ApptainerOptions: {
    executable: '',
    fakeroot: false,
    containall: false,
    fuseMode: '',
    noInit: false,
    noHome: false,
    noPrivs: false,
    nvidiaSupport: false,
    cleanenv: false,
    unsquash: false,
  },
  Volumes: {
    scratch_area: '',
    apptainer_cachedir: '',
    image_dir: '',
    additional_directories_in_path: null,
    fuse_sleep_seconds: 0,
  },
} as const;
