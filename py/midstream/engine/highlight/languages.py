"""The languages that are coloured: the names that a fence may have, and the lexer of each.

Pygments has such a table too, but the page fetches Pygments only after one of these names. The build
takes the list of modules from here.
"""

from __future__ import annotations

# Pygments' module → its classes, each with the names that fences use.
MODULES: dict[str, dict[str, str]] = {
    "asm": {"NasmLexer": "nasm asm", "GasLexer": "gas"},
    "c_cpp": {"CLexer": "c h", "CppLexer": "cpp c++ cc cxx hpp"},
    "configs": {
        "DockerLexer": "dockerfile docker",
        "IniLexer": "ini cfg conf",
        "NginxConfLexer": "nginx",
        "TOMLLexer": "toml",
        "TerraformLexer": "terraform hcl tf",
    },
    "css": {"CssLexer": "css", "ScssLexer": "scss", "LessCssLexer": "less"},
    "d": {"DLexer": "d"},
    "data": {"JsonLexer": "json json5 jsonc jsonl", "YamlLexer": "yaml yml"},
    "diff": {"DiffLexer": "diff patch udiff"},
    "dotnet": {"CSharpLexer": "csharp cs c#", "FSharpLexer": "fsharp f#", "VbNetLexer": "vbnet vb"},
    "elm": {"ElmLexer": "elm"},
    "erlang": {"ErlangLexer": "erlang erl", "ElixirLexer": "elixir ex exs"},
    "fortran": {"FortranLexer": "fortran f90"},
    "go": {"GoLexer": "go golang"},
    "graphql": {"GraphQLLexer": "graphql gql"},
    "haskell": {"HaskellLexer": "haskell hs"},
    "html": {"HtmlLexer": "html htm svg", "XmlLexer": "xml xsl xsd rss"},
    "javascript": {
        "DartLexer": "dart",
        "JavascriptLexer": "javascript js mjs cjs node",
        "TypeScriptLexer": "typescript ts",
    },
    "jsx": {"JsxLexer": "jsx", "TsxLexer": "tsx"},
    "julia": {"JuliaLexer": "julia jl"},
    "jvm": {
        "ClojureLexer": "clojure clj",
        "GroovyLexer": "groovy gradle",
        "JavaLexer": "java",
        "KotlinLexer": "kotlin kt kts",
        "ScalaLexer": "scala",
    },
    "lisp": {"CommonLispLexer": "lisp common-lisp cl", "SchemeLexer": "scheme scm"},
    "make": {"MakefileLexer": "make makefile mk", "CMakeLexer": "cmake"},
    "markup": {"MarkdownLexer": "markdown md", "TexLexer": "tex latex"},
    "matlab": {"MatlabLexer": "matlab", "OctaveLexer": "octave"},
    "ml": {"OcamlLexer": "ocaml ml", "SMLLexer": "sml"},
    "nix": {"NixLexer": "nix"},
    "objective": {"ObjectiveCLexer": "objective-c objectivec objc", "SwiftLexer": "swift"},
    "perl": {"PerlLexer": "perl pl"},
    "php": {"PhpLexer": "php"},
    "prolog": {"PrologLexer": "prolog"},
    "python": {"PythonLexer": "python py python3 py3", "PythonConsoleLexer": "pycon"},
    "r": {"SLexer": "r rlang"},
    "ruby": {"RubyLexer": "ruby rb"},
    "rust": {"RustLexer": "rust rs"},
    "scripting": {"LuaLexer": "lua"},
    "shell": {
        "BashLexer": "bash sh shell zsh ksh",
        "BashSessionLexer": "console shell-session shellsession",
        "BatchLexer": "bat batch cmd",
        "PowerShellLexer": "powershell pwsh ps1",
    },
    "sql": {
        "PostgresLexer": "postgresql postgres",
        "SqlLexer": "sql sqlite",
        "MySqlLexer": "mysql",
    },
    "tcl": {"TclLexer": "tcl"},
    "hdl": {"VerilogLexer": "verilog", "VhdlLexer": "vhdl"},
    "zig": {"ZigLexer": "zig"},
    "webassembly": {"WatLexer": "wat wast"},
}

LEXERS: dict[str, tuple[str, str]] = {
    name: (module, lexer)
    for module, classes in MODULES.items()
    for lexer, names in classes.items()
    for name in names.split()
}
