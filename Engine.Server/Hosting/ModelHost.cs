using System.Net;
using Microsoft.Extensions.Logging;
using NanoAspire.Answers;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Server.Commands;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Engine.Text;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Hosting;

/// <summary>Loads a model folder into a <see cref="ServedModel"/>; what was built is freed when a later part fails.</summary>
internal static class ModelHost
{
    /// <param name="settings">Model folder and limits.</param>
    /// <param name="role">What this engine serves.</param>
    /// <param name="servedName">Null: the folder's name.</param>
    /// <param name="allowLocal">Requests without a hand-off are served whatever the role.</param>
    /// <param name="transferAddress">Where peers may read parked KV from.</param>
    /// <param name="time">Clock of leases and deadlines.</param>
    /// <param name="loggers">Where all parts log.</param>
    /// <exception cref="ModelLoadException">The folder is not a model that this engine serves.</exception>
    public static ServedModel Load(
        EngineSettings settings, EngineRole role, string? servedName, bool allowLocal, IPAddress transferAddress, TimeProvider time, ILoggerFactory loggers)
    {
        var folder = Path.GetFullPath(settings.Folder);
        if (!Directory.Exists(folder)) throw new ModelLoadException($"model folder {folder} does not exist");
        var tokenizer = Tokenizer.Exists(folder) ? Tokenizer.Load(folder) : null;
        var template = ChatTemplate.Load(folder);
        var runner = ModelLoader.Load(folder, settings.Load with { ShareKvMemory = settings.Transport is "auto" or "shm" or "ucx", UcxKvMemory = settings.Transport is "ucx" }, loggers.CreateLogger("NanoAspire.Engine.Loading"), LoadBar.OnTerminal(time));
        EngineLoop? loop = null;
        IKvTransport? transport = null;
        try
        {
            var name = servedName ?? Path.GetFileName(folder);
            loop = new EngineLoop(runner, settings.Engine with { ModelName = name }, time, loggers.CreateLogger<EngineLoop>());
            transport = KvTransports.Create(settings.Transport, new TcpTransportOptions { BindAddress = transferAddress }, time, loggers);
            var incarnation = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
            return new ServedModel
            {
                Names = [.. new[] { name, folder, Path.GetFileName(folder) }.Distinct(StringComparer.Ordinal)],
                Role = role,
                EngineId = incarnation,
                Incarnation = incarnation,
                Runner = runner,
                Loop = loop,
                Defaults = SamplingDefaults.Load(folder),
                MaxModelLength = Math.Min(settings.Engine.MaxModelLength ?? int.MaxValue, runner.Model.MaxPositions),
                Transport = transport,
                Handoffs = new HandoffTable(
                    transport, runner.KvMemory, new HandoffOptions { EngineId = incarnation, Incarnation = incarnation, Lease = settings.Engine.HandoffLease }, time, loggers.CreateLogger<HandoffTable>()),
                Puller = new KvPuller(transport, new KvPullOptions(), time, loggers.CreateLogger<KvPuller>()),
                Created = time.GetUtcNow(),
                Tokenizer = tokenizer,
                Template = template,
                ToolCalls = settings.ToolCallParser is EngineSettings.Auto ? ToolCallFormat.Detect(template?.Source) : ToolCallFormat.Find(settings.ToolCallParser),
                Reasoning = settings.ReasoningParser is EngineSettings.Auto ? ReasoningFormat.Detect(runner.Model.ModelType, template?.Source) : ReasoningFormat.Find(settings.ReasoningParser),
                MirrorReasoning = settings.MirrorReasoning,
                AllowLocal = allowLocal || role == EngineRole.Hybrid,
            };
        }
        catch
        {
            loop?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            transport?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            runner.Dispose();
            throw;
        }
    }
}
