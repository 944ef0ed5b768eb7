using System.CommandLine;
using NanoAspire.Ctrl.Cli;

var serverFlags = new ServerFlags();
var server = new Command("server", "Run the control plane in the foreground");
serverFlags.AddTo(server);
server.SetAction((parsed, ct) => ServerCommand.RunAsync(parsed, serverFlags, ct));

var root = new RootCommand("NanoAspire control plane: registry of engines and entities, peer agents, mailboxes") { server, StartCommand.Create(), StatusCommand.Create(), StopCommand.Create() };
serverFlags.AddTo(root);
root.SetAction((parsed, ct) => ServerCommand.RunAsync(parsed, serverFlags, ct));

var command = root.Parse(args);
if (command.Errors.Count > 0) return ServerCommand.Fail(command.Errors[0].Message, ExitCodes.Usage);
return await command.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
