# Variables (node-gyp ... --name=value):
#   sanitize  '' | 'address' | 'thread': build with that sanitizer. Use scripts/build.sh asan, which
#             does so in a directory of its own, so that the ordinary build stays as it is.
#   libzmq    '' for the system's libzmq, or a directory with include/ and lib/libzmq.a, built with its
#             draft API, which then becomes part of the addon: scripts/build.sh prebuilt.
# On Windows, where there is no pkg-config, ZMQ_ROOT names a directory with include/ and lib/ in it.
{
  'variables': {
    'sanitize%': '',
    'libzmq%': '',
  },
  'targets': [
    {
      'target_name': 'zeromq_threads',
      'sources': [
        '<!@(node -p "require(\'fs\').readdirSync(\'native\').filter(f => f.endsWith(\'.cc\')).sort().map(f => \'native/\' + f).join(\' \')")',
      ],
      'include_dirs': [
        '<!(node -p "require(\'node-addon-api\').include_dir")',
      ],
      'defines': [
        'NAPI_VERSION=8',
        'NAPI_CPP_EXCEPTIONS',
        # Also those of the standard library become JavaScript errors.
        'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
        # A Worker that is being terminated cannot throw any more; without this the process would abort.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      # The headers of some Node.js versions ask for a newer standard; Node-API itself does not.
      'cflags!': ['-fno-exceptions', '-O2'],
      'cflags_cc!': ['-fno-exceptions', '-std=gnu++17', '-std=gnu++20'],
      'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden'],
      'cflags_cc': ['-std=c++17', '-fexceptions', '-fvisibility-inlines-hidden'],
      'conditions': [
        ['OS!="win" and libzmq==""', {
          'cflags': ['<!@(pkg-config --cflags "libzmq >= 4.3.4")'],
          'libraries': ['<!@(pkg-config --libs "libzmq >= 4.3.4")'],
        }],
        ['OS!="win" and libzmq!=""', {
          'include_dirs': ['<(libzmq)/include'],
          'defines': ['ZEROMQ_THREADS_CARRIES_LIBZMQ'],
          'libraries': [
            '<(libzmq)/lib/libzmq.a',
            '<!(pkg-config --variable=libdir libsodium)/libsodium.a',
          ],
        }],
        # Another libzmq of the process, as that of another addon, is not to meet this one.
        ['OS=="linux" and libzmq!=""', {
          'ldflags': ['-Wl,--exclude-libs,ALL', '-Wl,--gc-sections'],
        }],
        ['OS!="win" and sanitize==""', {
          'cflags': ['-O3'],
        }],
        ['OS!="win" and sanitize!=""', {
          'cflags!': ['-O3', '-fomit-frame-pointer'],
          'cflags': ['-fsanitize=<(sanitize)', '-O1', '-g', '-fno-omit-frame-pointer'],
          'ldflags': ['-fsanitize=<(sanitize)'],
        }],
        ['OS=="mac"', {
          'xcode_settings': {
            'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
            'CLANG_CXX_LIBRARY': 'libc++',
            'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
            'GCC_OPTIMIZATION_LEVEL': '3',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
            'MACOSX_DEPLOYMENT_TARGET': '11.0',
            'WARNING_CFLAGS': ['-Wall', '-Wextra'],
          },
        }],
        ['OS=="mac" and libzmq==""', {
          'xcode_settings': {
            'OTHER_CFLAGS': ['<!@(pkg-config --cflags "libzmq >= 4.3.4")'],
          },
        }],
        ['OS=="mac" and sanitize!=""', {
          'xcode_settings': {
            'GCC_OPTIMIZATION_LEVEL': '1',
            'OTHER_CFLAGS': ['-fsanitize=<(sanitize)', '-g', '-fno-omit-frame-pointer'],
            'OTHER_LDFLAGS': ['-fsanitize=<(sanitize)'],
          },
        }],
        ['OS=="win"', {
          'variables': {
            'zmq_root': '<!(node -p "process.env.ZMQ_ROOT || \'C:/zeromq\'")',
          },
          'include_dirs': ['<(zmq_root)/include'],
          'libraries': ['<(zmq_root)/lib/libzmq.lib'],
          'defines': ['_HAS_EXCEPTIONS=1', 'NOMINMAX', 'WIN32_LEAN_AND_MEAN'],
          'msvs_settings': {
            'VCCLCompilerTool': {
              'ExceptionHandling': 1,
              'AdditionalOptions': ['/std:c++17', '/Zc:__cplusplus'],
            },
          },
        }],
      ],
    },
  ],
}
