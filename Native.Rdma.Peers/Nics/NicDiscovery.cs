using System.Globalization;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Finds RDMA cards in sysfs (<c>class/infiniband</c>), and reads their counters.</summary>
internal sealed class NicDiscovery(NicOptions options)
{
    private const int DefaultPort = 1;
    /// <summary>The port counters of data count words of 32 bits (InfiniBand specification, PortCounters).</summary>
    private const long CounterUnit = 4;

    private readonly string _root = Path.Combine(options.SysfsRoot, "class", "infiniband");

    /// <summary>The preferred card first, then the others by name; empty where there is no RDMA.</summary>
    public IReadOnlyList<NetworkCard> Find()
    {
        var visible = (options.VisibleDevices ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var names = options.Devices ?? Entries(_root);
        return
        [
            .. names.Where(name => visible.Length == 0 || visible.Contains(name, StringComparer.Ordinal))
                .Distinct(StringComparer.Ordinal).OrderBy(name => name == options.PreferredDevice ? 0 : 1).Select(Describe),
        ];
    }

    /// <summary>Bytes that all ports of a card have sent and received since they came up, of whatever process; null when it does not say.</summary>
    public (long Sent, long Received)? Traffic(NetworkCard card)
    {
        long sent = 0, received = 0;
        foreach (var port in card.Ports)
        {
            if (Counter(card, port, "port_xmit_data") is not { } x || Counter(card, port, "port_rcv_data") is not { } r) return null;
            (sent, received) = (sent + x, received + r);
        }
        return (sent, received);
    }

    private NetworkCard Describe(string name)
    {
        var card = Path.Combine(_root, name);
        int[] ports = [.. Entries(Path.Combine(card, "ports")).Select(static p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0).Where(static n => n > 0).Order()];
        return new(
            name, PciId(Path.Combine(card, "device")),
            int.TryParse(Text(Path.Combine(card, "device", "numa_node")), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var node) ? node : -1,
            [.. (ports.Length == 0 ? [DefaultPort] : ports).Select(n => Port(n, PortFolder(name, n)))]);
    }

    private NetworkPort Port(int number, string folder)
    {
        // "4: ACTIVE"
        var state = Text(Path.Combine(folder, "state")) is { } text ? text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim().ToUpperInvariant() : NetworkPort.Active;
        return new(number, state.Length == 0 ? NetworkPort.Unknown : state, LinkType(Text(Path.Combine(folder, "link_layer")) ?? options.PreferredLinkType));
    }

    private static string LinkType(string layer) => layer.ToUpperInvariant() switch
    {
        "ETHERNET" or "ROCE" => "RoCE",
        "INFINIBAND" or "IB" => "IB",
        "" => NetworkPort.Unknown,
        _ => layer,
    };

    private long? Counter(NetworkCard card, NetworkPort port, string counter) =>
        long.TryParse(Text(Path.Combine(PortFolder(card.Name, port.Number), "counters", counter)), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value * CounterUnit : null;

    private string PortFolder(string card, int port) => Path.Combine(_root, card, "ports", port.ToString(CultureInfo.InvariantCulture));

    /// <summary>The folder of the card is named by its place on the bus.</summary>
    private static string PciId(string device)
    {
        try { return Path.GetFileName(new FileInfo(device).LinkTarget?.TrimEnd('/')) ?? ""; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return ""; }
    }

    private static string[] Entries(string folder)
    {
        try { return [.. Directory.EnumerateFileSystemEntries(folder).Select(static e => Path.GetFileName(e)).Order(StringComparer.Ordinal)]; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }

    private static string? Text(string file)
    {
        try { return File.ReadAllText(file).Trim(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return null; }
    }
}
