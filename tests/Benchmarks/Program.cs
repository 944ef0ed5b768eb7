using System.CommandLine;
using System.Globalization;
using NanoAspire.Benchmarks.Commands;
using NanoAspire.Benchmarks.Transfer;

// The second process of the transfer benchmark is this program again.
if (args is [TransferSource.Verb, var bytes, var block, var transport])
    return await TransferSource.RunAsync(long.Parse(bytes, CultureInfo.InvariantCulture), long.Parse(block, CultureInfo.InvariantCulture), transport);

// --json prints one JSON document on stdout; everything else goes to stderr.
var root = new RootCommand("Measures NanoAspire against ceilings taken in the same run.")
{
    EngineCommand.Create(),
    KernelsCommand.Create(),
    MakeModelCommand.Create(),
    CtrlCommand.Create(),
    RouterCommand.Create(),
    RoutingCommand.Create(),
    SpeculationCommand.Create(),
    TransferCommand.Create(),
};
var parsed = root.Parse(args);
var exitCode = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? 2 : exitCode;
