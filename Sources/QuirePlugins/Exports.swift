// What an author of a policy needs comes with `import QuirePlugins`.
@_exported public import Requests
@_exported public import Scheduling
