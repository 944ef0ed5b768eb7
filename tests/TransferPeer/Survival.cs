using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.TransferPeer;

/// <summary>Mistakes that the runtime turns into exceptions by signals, after UCX has been loaded, which would like to have those.</summary>
internal static class Survival
{
    public static int Run()
    {
        if (!UcxLibrary.IsAvailable) return 2;
        using var arena = UcxArena.TryAllocate(1 << 20, out var reason);
        if (arena is null)
        {
            Console.WriteLine(reason);
            return 3;
        }
        string? nothing = null;
        try { Console.WriteLine(nothing!.Length); }
        catch (NullReferenceException) { Console.WriteLine("null"); }
        var zero = Environment.GetCommandLineArgs().Length - Environment.GetCommandLineArgs().Length;
        try { Console.WriteLine(1 / zero); }
        catch (DivideByZeroException) { Console.WriteLine("zero"); }
        return 0;
    }
}
