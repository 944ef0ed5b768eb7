using System.CommandLine;
using NanoAspire.Benchmarks.Commands;

// --json prints one JSON document on stdout; everything else goes to stderr.
var root = new RootCommand("Measures NanoAspire against ceilings taken in the same run.")
{
    EngineCommand.Create(),
    MakeModelCommand.Create(),
    CtrlCommand.Create(),
    RouterCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
