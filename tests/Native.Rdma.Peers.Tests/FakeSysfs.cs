namespace NanoAspire.Native.Rdma.Peers.Tests;

/// <summary>A folder that looks like <c>/sys</c> to who looks for RDMA cards.</summary>
internal sealed class FakeSysfs : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("sysfs-").FullName;

    /// <param name="name">Of the card.</param>
    /// <param name="pci">Place on the bus; null: none.</param>
    /// <param name="numa">Content of <c>numa_node</c>; null: no such file.</param>
    /// <param name="ports">State, link layer and counters of each; null: no such file.</param>
    public FakeSysfs Add(string name, string? pci, string? numa, params (string? State, string? Layer, long? Words)[] ports)
    {
        var card = Directory.CreateDirectory(Path.Combine(Root, "class", "infiniband", name)).FullName;
        if (pci is not null)
        {
            var device = Directory.CreateDirectory(Path.Combine(Root, "devices", "pci0000:80", pci)).FullName;
            Directory.CreateSymbolicLink(Path.Combine(card, "device"), device);
            if (numa is not null) File.WriteAllText(Path.Combine(device, "numa_node"), numa + "\n");
        }
        for (var i = 0; i < ports.Length; i++)
        {
            var port = Directory.CreateDirectory(Path.Combine(card, "ports", $"{i + 1}", "counters")).Parent!.FullName;
            if (ports[i].State is { } state) File.WriteAllText(Path.Combine(port, "state"), state + "\n");
            if (ports[i].Layer is { } layer) File.WriteAllText(Path.Combine(port, "link_layer"), layer + "\n");
            if (ports[i].Words is { } words) Count(name, i + 1, words, words);
        }
        return this;
    }

    /// <summary>Sets the data counters of a port, in words of 32 bits.</summary>
    public void Count(string name, int port, long sent, long received)
    {
        var counters = Path.Combine(Root, "class", "infiniband", name, "ports", $"{port}", "counters");
        File.WriteAllText(Path.Combine(counters, "port_xmit_data"), $"{sent}\n");
        File.WriteAllText(Path.Combine(counters, "port_rcv_data"), $"{received}\n");
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
