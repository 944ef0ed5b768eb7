using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using NanoAspire.Native.Rdma.Tests;
using Xunit.v3;

[assembly: HangGuard]

namespace NanoAspire.Native.Rdma.Tests;

/// <summary>
/// Ends the process, with the names of what still runs, when no test has begun or ended for minutes: a call that never comes back
/// from the system or from a library is beyond the reach of any timeout of a test.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class HangGuard : BeforeAfterTestAttribute
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private static readonly ConcurrentDictionary<string, string> Running = new();
    private static readonly Timer Watch = new(static _ => Look(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    private static long _lastChange = Stopwatch.GetTimestamp();

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        Running[test.UniqueID] = test.TestDisplayName;
        Volatile.Write(ref _lastChange, Stopwatch.GetTimestamp());
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        Running.TryRemove(test.UniqueID, out _);
        Volatile.Write(ref _lastChange, Stopwatch.GetTimestamp());
        GC.KeepAlive(Watch);
    }

    private static void Look()
    {
        if (Debugger.IsAttached || Stopwatch.GetElapsedTime(Volatile.Read(ref _lastChange)) < Patience) return;
        Environment.FailFast($"No test has begun or ended for {Patience.TotalMinutes} minutes. Still running: {string.Join(", ", Running.Values)}");
    }
}
