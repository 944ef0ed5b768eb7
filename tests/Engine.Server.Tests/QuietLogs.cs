using System.Runtime.CompilerServices;

namespace NanoAspire.Engine.Server.Tests;

internal static class QuietLogs
{
    /// <summary>Servers of this test process log warnings only.</summary>
    [ModuleInitializer]
    internal static void Set() => Environment.SetEnvironmentVariable("Logging__LogLevel__Default", "Warning");
}
