using System.Globalization;
using NanoAspire.Launcher;

// NanoAspire.Launcher PARENT-PID COMMAND [ARG...]: ties this process to the life of PARENT-PID and becomes COMMAND.
if (args.Length < 2 || !int.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out var parent))
{
    Console.Error.WriteLine("usage: NanoAspire.Launcher PARENT-PID COMMAND [ARG...]");
    return 2;
}
return Exec.Become(parent, args[1], args[1..]);
