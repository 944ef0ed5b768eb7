using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Hosting;

/// <summary>Registers the engine with the control plane that the command line or service discovery names; with neither it serves alone.</summary>
internal static class Registration
{
    public static void Add(WebApplicationBuilder builder, ServeOptions options)
    {
        var address = options.CtrlAddress ?? (builder.Configuration.GetSection("Services:ctrl").Exists() ? "http://ctrl" : null);
        if (address is null) return;
        builder.Services.AddEngineRegistration(services => Describe(services.GetRequiredService<ServedModel>(), services.GetRequiredService<IServer>()), ctrl =>
        {
            ctrl.Address = address;
            ctrl.Scope = options.CtrlScope;
            ctrl.Token = options.CtrlToken;
        });
        builder.Services.AddEngineDirectory();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<EnginePeer>(
            services, () => Describe(services.GetRequiredService<ServedModel>(), services.GetRequiredService<IServer>())));
        builder.Services.AddHostedService(services => services.GetRequiredService<EnginePeer>());
    }

    private static EngineDescriptor Describe(ServedModel model, IServer server)
    {
        var listening = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        var address = BindingAddress.Parse(listening);
        var host = address.Host is "0.0.0.0" or "[::]" or "*" or "+" ? OutboundAddress() : address.Host;
        return new EngineDescriptor
        {
            Id = $"dlengine-{model.Name}-{host}:{address.Port}",
            Role = model.Role,
            Url = $"{address.Scheme}://{host}:{address.Port}",
            Models = model.Names,
            Incarnation = model.Incarnation,
            KvDigest = model.Runner.KvMemory.Layout.Digest,
            Capabilities = ServedModel.Capabilities,
        };
    }

    /// <summary>The address that this machine would use towards others: no packet is sent to find out.</summary>
    private static string OutboundAddress()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            probe.Connect(new IPEndPoint(new IPAddress([192, 0, 2, 1]), 9));
            return ((IPEndPoint)probe.LocalEndPoint!).Address.ToString();
        }
        catch (SocketException)
        {
            return "127.0.0.1";   // no route out: this machine is all there is
        }
    }
}
